"""Wikitext: from what stands in a dump to the text that an editor sees."""

from thaiwiki_clean.readers.wikitext.extract import Extracted, extract, redirect_target
from thaiwiki_clean.readers.wikitext.vocabulary import Words, words_of

__all__ = ["Extracted", "Words", "extract", "redirect_target", "words_of"]
