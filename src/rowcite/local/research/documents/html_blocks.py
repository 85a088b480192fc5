"""Split an HTML page into blocks in reading order: headings, paragraphs, list items, table rows, definition pairs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace
from selectolax.lexbor import LexborHTMLParser, LexborNode

from rowcite.local.research.documents.document import Block
from rowcite.local.research.text.normalise import collapse_spaces

_IGNORED_TAGS = {"script", "style", "noscript", "template", "svg", "head", "iframe", "select", "button"}
_BLOCKS = frozenset(["address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "html", "legend", "li", "main", "menu", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"])  # fmt: skip
_LEADS = frozenset({"b", "strong", "span", "em", "i", "small", "label"})
_SEPARATE = frozenset({"a", "span", "label", "time", "data", "output"})  # shown apart when adjacent
_LONGEST_LABEL = 60
# Words in the tags, classes and ids of navigation and of text about others.
_ASIDES = frozenset(["nav", "navigation", "navbar", "menu", "breadcrumb", "breadcrumbs", "footer", "related", "teaser", "teasers", "promo", "advert", "ad", "ads", "cookie", "cookies", "newsletter", "comment", "comments", "testimonial", "testimonials", "recommended", "also", "trending", "sponsored"])  # fmt: skip
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
# Elements that only their own end tag closes.
_CONTAINERS = re.compile(r"<(/?)(address|article|aside|blockquote|center|details|dialog|div|dl|fieldset|figure|footer|form|header|main|nav|ol|section|span|table|ul)(?=[\s/>])", re.IGNORECASE)  # fmt: skip
_DEEPEST = 400
_UNSEEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0", re.IGNORECASE)


@dataclass
class Layout:
    """The result of a walk over a page: `blocks` to read, and all visible text in `words`."""

    blocks: list[Block] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    heading: str = ""
    aside: bool = False  # True within elements whose blocks are not read

    def add(self, block: Block) -> None:
        """Add a block under the current heading; a heading becomes the current one."""
        self.words.append(block.text)
        if not self.aside:
            self.blocks.append(replace(block, heading=self.heading))
        if block.kind == "heading":
            self.heading = block.text

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
        _walk(tree.body, layout)
    return layout


def _walk(node: LexborNode, layout: Layout) -> None:
    """Read a block-level node: turn runs of inline content into blocks and walk block-level children."""
    inline: list[LexborNode] = []
    around = layout.aside
    for child in node.iter(include_text=True):
        if child.tag not in _BLOCKS and not _holds_blocks(child):
            inline.append(child)
            continue
        _add_text(inline, node, layout)
        inline.clear()
        if not _is_unseen(child):
            names = filter(None, (child.tag, child.attributes.get("class"), child.attributes.get("id")))
            words = () if child.tag in {"main", "article"} else re.split(r"[\s_-]+", " ".join(names).lower())
            layout.aside = around or not _ASIDES.isdisjoint(words)
            {"table": _read_table, "dl": _read_pairs}.get(child.tag or "", _walk)(child, layout)
            layout.aside = around
    _add_text(inline, node, layout)


def _add_text(inline: list[LexborNode], node: LexborNode, layout: Layout) -> None:
    """Add the block of a run of inline content; its cells are opening words in bold and the rest: "<b>Founded</b> 2021"."""
    raw, tag = _joined(inline), node.tag or ""
    text = collapse_spaces(raw)
    if text and tag in _HEADINGS:
        layout.add(Block("heading", text, level=int(tag[1])))
    elif text:
        lines = raw.split("\n" if tag == "pre" else "\v")
        first = next(number for number, one in enumerate(inline, 1) if inline_text(one).strip())
        label, rest = (collapse_spaces(_joined(part)) for part in (inline[:first], inline[first:]))
        bold = inline[first - 1].tag in _LEADS and rest and len(label) <= _LONGEST_LABEL
        cells = (label, rest) if bold else ()
        kind = "item" if tag == "li" else "text"
        layout.add(Block(kind, text, lines=tuple(filter(None, map(collapse_spaces, lines))), cells=cells))


def _read_table(table: LexborNode, layout: Layout) -> None:
    """Add a block for each table row, with its cells and the column headers."""
    header: tuple[str, ...] = ()
    caption = table.css_first("caption")
    if caption is not None:
        _walk(caption, layout)
    for number, row in enumerate(table.css("tr")):
        cells = [cell for cell in row.iter() if cell.tag in {"td", "th"}]
        texts = tuple(collapse_spaces(inline_text(cell)) for cell in cells)
        if number == 0 and len(cells) > 1 and all(cell.tag == "th" or _is_bold(cell) for cell in cells):
            header = texts
        if any(texts):
            layout.add(Block("row", collapse_spaces(" ".join(texts)), cells=texts, header=header))


def _read_pairs(node: LexborNode, layout: Layout) -> None:
    """Add a row of two cells for each term of a definition list and its description."""
    term = ""
    for entry in node.css("dt, dd"):
        text = collapse_spaces(inline_text(entry))
        if entry.tag == "dt":
            term = text
        elif text:
            layout.add(Block("row", f"{term} {text}".strip(), cells=(term, text) if term else ()))


def inline_text(node: LexborNode) -> str:
    r"""Return the text below a node, with spaces around blocks and \v for line breaks."""
    if node.tag == "-text":
        return node.text_content or ""
    if node.tag == "br":
        return "\v"
    if _is_unseen(node):
        return ""
    inner = _joined(node.iter(include_text=True))
    return f" {inner}\v" if node.tag in _BLOCKS else inner


def _joined(nodes: Iterable[LexborNode]) -> str:
    """Return the text of neighbouring nodes, with a space between elements that pages show apart."""
    text, before = "", ""
    for node in nodes:
        added, tag = inline_text(node), node.tag or ""
        glued = text[-1:].isalnum() and added[:1].isalnum()
        text += f" {added}" if glued and {before, tag} <= _SEPARATE else added
        before = tag
    return text


def _holds_blocks(node: LexborNode) -> bool:
    """Return True if an inline or unknown element wraps block-level ones."""
    return any(child.tag in _BLOCKS or _holds_blocks(child) for child in node.iter())


def _is_bold(cell: LexborNode) -> bool:
    """Return True if all text of a cell is in bold, as in the first row of a table without header cells."""
    bold = cell.css_first("b, strong")
    return bold is not None and collapse_spaces(inline_text(cell)) == collapse_spaces(inline_text(bold)) != ""


def _is_unseen(node: LexborNode) -> bool:
    """Return True if a node is not visible to readers of the page."""
    if node.tag in _IGNORED_TAGS or (node.tag or "-").startswith("-"):
        return True
    attributes = node.attributes
    return "hidden" in attributes or bool(_UNSEEN.search(attributes.get("style") or ""))
