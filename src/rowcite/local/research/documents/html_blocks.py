"""Split an HTML page into blocks in reading order: headings, paragraphs, list items, table rows, definition pairs."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from rowcite.local.research.documents.document import Block
from rowcite.local.research.text.normalise import collapse_spaces

_IGNORED_TAGS = frozenset(
    {"script", "style", "noscript", "template", "svg", "head", "iframe", "select", "button"}
)
_BLOCKS = frozenset([
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "html",
    "legend", "li", "main", "menu", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th",
    "thead", "tr", "ul",
])  # fmt: skip
_LEADS = frozenset({"b", "strong", "span", "em", "i", "small", "label"})
_SEPARATE = frozenset({"a", "span", "label", "time", "data", "output"})
_LONGEST_LABEL = 60
_AFTER_LABEL = "\x1f"  # marks the end of opening words in bold
_NOISE_NAMES = re.compile(
    r"(?:^|[\s_-])(?:nav|navigation|navbar|menu|breadcrumbs?|footer|related|teasers?|promo|advert\w*|ads?|cookies?|banner|newsletter|"
    r"share|comments?|testimonials?|recommended|you-may|see-also|also|more-news|more-stories|trending|sponsored)(?:$|[\s_-])",
    re.IGNORECASE,
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
# Elements that only their own end tag closes.
_CONTAINERS = re.compile(
    r"<(/?)(address|article|aside|blockquote|center|details|dialog|div|dl|fieldset|figure|footer|form|header|main|nav|ol|section|"
    r"span|table|ul)(?=[\s/>])",
    re.IGNORECASE,
)
_DEEPEST = 400
_UNSEEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0", re.IGNORECASE)


@dataclass
class Layout:
    """The result of a walk over a page: `blocks` to read, and all visible text in `words`."""

    blocks: list[Block] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    heading: str = ""

    def add(self, block: Block, *, noise: bool) -> None:
        """Add a block; one in navigation or teasers is added to the visible text only."""
        self.words.append(block.text)
        if not noise:
            self.blocks.append(block)

    @property
    def text(self) -> str:
        """The visible text with white space collapsed."""
        return collapse_spaces(" ".join(self.words))


def check_depth(html: str) -> None:
    """Raise ValueError if the elements of a page nest too deeply, judged by their tags alone.

    The time of parsing grows with the square of the depth, and reading the tree is a recursion.
    """
    opened = Counter[str]()
    for end, tag in _CONTAINERS.findall(html) if html.count("<") > _DEEPEST else ():
        name = tag.lower()
        opened[name] = max(opened[name] + (-1 if end else 1), 0)
        if not end and opened.total() > _DEEPEST:
            raise ValueError(f"its elements nest deeper than {_DEEPEST} levels")


def blocks_of(tree: LexborHTMLParser) -> Layout:
    """Return the blocks and the visible text of a page."""
    layout = Layout()
    if tree.body is not None:
        _walk(tree.body, layout, noise=False)
    return layout


def _walk(node: LexborNode, layout: Layout, *, noise: bool) -> None:
    """Read a block-level node: turn runs of inline content into blocks and walk block-level children."""
    parts: list[str] = []
    has_text = False
    for child in node.iter(include_text=True):
        if child.tag in _BLOCKS or _holds_blocks(child):
            _add_text("".join(parts), node, layout, noise=noise)
            parts.clear()
            has_text = False
            if not _is_unseen(child):
                read = {"table": _read_table, "dl": _read_pairs}.get(child.tag or "", _walk)
                read(child, layout, noise=noise or _is_noise(child))
        else:
            text = inline_text(child)
            end = _AFTER_LABEL if child.tag in _LEADS and not has_text else ""
            parts.append(_apart("".join(parts[-1:]).rstrip(_AFTER_LABEL), text, child) + text + end)
            has_text = has_text or bool(text.strip())
    _add_text("".join(parts), node, layout, noise=noise)


def _add_text(raw: str, node: LexborNode, layout: Layout, *, noise: bool) -> None:
    """Add the block of a run of inline content."""
    tag, shown = node.tag or "", raw.replace(_AFTER_LABEL, "")
    text = collapse_spaces(shown)
    if text and tag in _HEADINGS:
        layout.add(Block("heading", text, layout.heading, level=int(tag[1])), noise=noise)
        layout.heading = text
    elif text:
        marker = "\n" if tag == "pre" else "\v"
        lines = tuple(filter(None, map(collapse_spaces, shown.split(marker))))
        kind, label = "item" if tag == "li" else "text", _label_and_rest(raw)
        layout.add(Block(kind, text, layout.heading, lines, label), noise=noise)


def _label_and_rest(raw: str) -> tuple[str, ...]:
    """Return a block's opening words in bold and the words after them: "<b>Founded</b> 2021"."""
    label, _, rest = (collapse_spaces(part) for part in raw.partition(_AFTER_LABEL))
    return (label, rest) if label and rest and len(label) <= _LONGEST_LABEL else ()


def _read_table(table: LexborNode, layout: Layout, *, noise: bool) -> None:
    """Add a block for each table row, with its cells and the column headers."""
    header: tuple[str, ...] = ()
    caption = table.css_first("caption")
    if caption is not None and (text := collapse_spaces(inline_text(caption))):
        layout.add(Block("text", text, layout.heading, (text,)), noise=noise)
    for number, row in enumerate(table.css("tr")):
        cells = [cell for cell in row.iter() if cell.tag in {"td", "th"}]
        texts = tuple(collapse_spaces(inline_text(cell)) for cell in cells)
        if number == 0 and len(cells) > 1 and all(cell.tag == "th" for cell in cells):
            header = texts
        if any(texts):
            line = collapse_spaces(" ".join(texts))
            layout.add(Block("row", line, layout.heading, (), texts, header), noise=noise)


def _read_pairs(node: LexborNode, layout: Layout, *, noise: bool) -> None:
    """Add a block of two cells for each term of a definition list and its description."""
    term = ""
    for entry in node.css("dt, dd"):
        text = collapse_spaces(inline_text(entry))
        if entry.tag == "dt":
            term = text
        elif text:
            cells = (term, text) if term else ()
            block = Block("pair", f"{term} {text}".strip(), layout.heading, (), cells)
            layout.add(block, noise=noise)


def inline_text(node: LexborNode) -> str:
    r"""Return the text below a node, with spaces around blocks and \v for line breaks."""
    if node.tag == "-text":
        return node.text_content or ""
    if node.tag == "br":
        return "\v"
    if _is_unseen(node):
        return ""
    inner = ""
    for child in node.iter(include_text=True):
        text = inline_text(child)
        inner += _apart(inner, text, child) + text
    return f" {inner}\v" if node.tag in _BLOCKS else inner


def _apart(before: str, text: str, node: LexborNode) -> str:
    """Return a space if an element would be glued to the words before it, and pages show such elements apart."""
    if not (before[-1:].isalnum() and text[:1].isalnum()):
        return ""
    elements = [one for one in (node, node.prev) if one is not None and _is_element(one)]
    marked = any(not {"itemprop", "property"}.isdisjoint(one.attributes) for one in elements)
    return " " if marked or [one.tag in _SEPARATE for one in elements] == [True, True] else ""


def _is_element(node: LexborNode) -> bool:
    return not (node.tag or "-").startswith("-")


def _holds_blocks(node: LexborNode) -> bool:
    """Return True if an inline or unknown element wraps block-level ones."""
    children = node.iter() if _is_element(node) else ()
    return any(child.tag in _BLOCKS or _holds_blocks(child) for child in children)


def _is_unseen(node: LexborNode) -> bool:
    """Return True if a node is not visible to readers of the page."""
    if node.tag in _IGNORED_TAGS or not _is_element(node):
        return True
    attributes = node.attributes
    return "hidden" in attributes or bool(_UNSEEN.search(attributes.get("style") or ""))


def _is_noise(node: LexborNode) -> bool:
    """Return True if a node is navigation, a footer or a teaser."""
    attributes = node.attributes
    names = (node.tag, *map(attributes.get, ("class", "id", "role")))
    return node.tag not in {"body", "main", "article"} and bool(
        _NOISE_NAMES.search(" ".join(filter(None, names)))
    )
