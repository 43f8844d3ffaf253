"""Train, generate, measure, compare, rate: what a language model learns from cleaned and from raw pages."""
