"""People judge: a blind side-by-side rating page, its database, and what the votes say.

``python -m finetune rate A.jsonl B.jsonl --out ratings.sqlite`` serves the page,
``python -m finetune rate-report ratings.sqlite`` reads the votes.
"""
