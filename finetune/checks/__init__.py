"""The checks of :mod:`finetune.preflight`, by what they look at: the template, the tokens, the texts of the rows, the settings."""
