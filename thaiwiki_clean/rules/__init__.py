"""The rules, in the order in which they run.

The order is honest: rules that know what a thing is stand before rules that know only that it repeats,
and rules that drop a whole region before rules that mend inside a line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain

from thaiwiki_clean.edits import Edit
from thaiwiki_clean.rules.brackets import empty_brackets
from thaiwiki_clean.rules.characters import ODD_BYTES, code_page, invisible, line_end, odd_blank, thai_mark, thai_vowel
from thaiwiki_clean.rules.images import image
from thaiwiki_clean.rules.inline import edit_link, html, html_entity, magic_word, reference, template_parameter, url, wiki_markup
from thaiwiki_clean.rules.lists import category, hatnote, link_list, list_intro, list_marker, navigation, source_line
from thaiwiki_clean.rules.redirects import redirect
from thaiwiki_clean.rules.repeats import repeated_line, repeated_title
from thaiwiki_clean.rules.sections import bare_header, boilerplate_section, section_header
from thaiwiki_clean.rules.spacing import spacing
from thaiwiki_clean.rules.tables import table

__all__ = ["LOCAL_RULES", "RULES", "STAGES"]

_Rule = Callable[[str], Iterable[Edit]]

#: The rules of one stage look at the same text; where two of them meet, the earlier one's edit stands.
#: The next stage sees what they left.
STAGES: tuple[tuple[_Rule, ...], ...] = (
    # Characters first: every later rule may then trust that a newline ends a line and a blank is a blank.
    (line_end,),
    (odd_blank, invisible, thai_vowel),
    (thai_mark,),
    # Pages that are nothing else; then markup that is known by its signs. A reference goes with its body before tags lose their signs.
    (redirect, reference, html),
    (html_entity,),
    (edit_link, image, url, template_parameter, wiki_markup, magic_word),
    # Lines and regions. What is known by its words stands before what is known only by saying nothing, or by standing twice.
    (
        table,
        boilerplate_section,
        hatnote,
        navigation,
        source_line,
        bare_header,
        list_intro,
        link_list,
        category,
        section_header,
        repeated_title,
        repeated_line,
        list_marker,
    ),
    # Inside what is left.
    (empty_brackets,),
    (spacing,),
)

#: All rules in order.
RULES: tuple[_Rule, ...] = tuple(chain.from_iterable(STAGES))

#: The rules that look at one line at a time: what they find in a text is what they find in its lines (a law in the tests).
#: After the first round they need not run again where no line has changed.
LOCAL_RULES: frozenset[_Rule] = frozenset(
    (
        invisible,
        odd_blank,
        thai_vowel,
        thai_mark,
        html_entity,
        edit_link,
        image,
        url,
        template_parameter,
        wiki_markup,
        magic_word,
        hatnote,
        navigation,
        source_line,
        list_marker,
        empty_brackets,
    )
)

#: The sign that may stand for any other.
ENTITY_SIGN = ord("&")

#: Rules that find nothing in a text without any of these signs (a law in the tests), as bytes of the Thai code page;
#: a character that is not in it, such as a wide bracket or a zero-width blank, is a question mark there.
SIGNS: dict[_Rule, frozenset[int]] = {
    rule: frozenset(found)
    for rule, found in {
        line_end: b"\r",
        odd_blank: ODD_BYTES,
        invisible: ODD_BYTES,
        reference: b"[<",
        html: b"<",
        html_entity: b"&",
        edit_link: b"[",
        url: b"/mwW",
        template_parameter: b"|",
        wiki_markup: b"[]{}~'-",
        magic_word: b"_:|",
        table: b"|!",
        source_line: b":=?^",
        section_header: b"=",
        list_marker: b"*#:;\x95?B",
        empty_brackets: b"(?",
    }.items()
}
_NO_SIGN = bytes(set(range(256)).difference(*SIGNS.values()))


def _alike() -> bytes:
    """Each sign as the first one that the same rules wait for: pages then have few sets of signs."""
    first: dict[frozenset[_Rule], int] = {}
    return bytes([first.setdefault(frozenset(rule for rule, any_of in SIGNS.items() if sign in any_of), sign) for sign in range(256)])


_ALIKE = _alike()


def signs(text: str) -> frozenset[int]:
    """The signs that stand in a text, as bytes; of signs that the same rules wait for, one stands for all.

    >>> bytes(signs("a = b")), bytes(signs("{{~}}"))
    (b'=', b"'")
    """
    return frozenset(code_page(text).translate(_ALIKE, _NO_SIGN))
