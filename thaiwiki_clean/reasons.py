"""Why something was removed: one sentence for every reason an edit can carry and every verdict on a page."""

from __future__ import annotations

__all__ = ["REASONS", "VERDICTS"]

#: reason of an edit -> what it says to a reader. The order is that of a report: regions, lines, inside lines, characters.
REASONS: dict[str, str] = {
    "redirect": "A redirect line: the page only points to another one.",
    "boilerplate_section": "A section that holds links, references or translations and no prose, with its subsections.",
    "section_header": "A section header; the prose below it stays.",
    "bare_header": "A section title that stands alone on a line without its equals signs.",
    "table": "Table markup, or a table cell that holds no sentence.",
    "image": "An image line, a gallery line, or image options such as thumb and 200px.",
    "category": "A category name or sort key left at the end of the page.",
    "link_list": "A list of links or names that holds no sentence.",
    "list_intro": "A line that only announces a list that was removed.",
    "hatnote": "A pointer to another page, such as 'see the main article'.",
    "navigation": "Links to the page before, the page after, or the contents.",
    "source_line": "A list item that only names where the line above comes from.",
    "list_marker": "A list or indent marker that the parser left behind.",
    "repeated_line": "A line that stands earlier on the same page; the first one stays.",
    "repeated_title": "The page's title alone on the line above a text that begins with it.",
    "recurring_line": "A line that stands on very many pages and says nothing, at the start or the end of this one.",
    "magic_word": "A MediaWiki switch such as __NOTOC__, or a line such as DEFAULTSORT.",
    "template_parameter": "A parameter of a template that the parser left behind a bar.",
    "reference": "A footnote mark such as [1] or [citation needed], or a <ref> with its body.",
    "edit_link": "The [edit] link of a section header.",
    "url": "A web address that stands bare or in single brackets.",
    "html": "An HTML tag or comment.",
    "html_entity": "An HTML entity, folded into the character that it stands for.",
    "wiki_markup": "Stray wiki markup: [[ ]], {{ }}, or quotation marks for bold and italics.",
    "empty_brackets": "Brackets that hold nothing, or the separators left over inside half-empty ones.",
    "line_end": "A carriage return.",
    "invisible": "An invisible character where it carries no meaning.",
    "odd_blank": "A no-break or other odd blank, folded into a plain one.",
    "thai_vowel": "A vowel typed as two characters (เเ, ํา), folded into one (แ, ำ).",
    "thai_mark": "A Thai mark that is doubled or stands in the wrong order.",
    "spacing": "A blank at the end of a line, a doubled blank, or a blank line too many.",
}

#: verdict on a page -> what it says to a reader.
VERDICTS: dict[str, str] = {
    "redirect": "The page only points to another one.",
    "disambiguation": "The page lists what its title may mean.",
    "list_page": "The page is a list without prose.",
    "stub": "The page says too little to learn from.",
    "not_thai": "Too few letters of the text are Thai.",
    "repetitive": "The text says the same thing again and again.",
    "empty": "Nothing is left after cleaning.",
    "duplicate": "Another page has the same text; that one is kept.",
    "near_duplicate": "Another page has nearly the same text; that one is kept.",
    "other_namespace": "The page is no article: a talk, template, category or file page of a dump.",
    "other_model": "The page of a dump holds no wikitext, but a script, a style or data.",
    "bad_row": "The row could not be read: no text, a wrong type, or broken UTF-8.",
}
