"""``python -m thaiwiki_clean`` is the command ``thaiwiki-clean``."""

from thaiwiki_clean.cli import main

if __name__ == "__main__":
    main()
