"""Measure how long indexing, starting again and asking take, on pages generated from the samples' own sentences.

python benchmarks/research/speed.py [DOCUMENTS]     10,000 documents of about 10 KB by default
"""

from __future__ import annotations

import random
import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from rowcite.local.research.corpus import Corpus, open_corpus
from rowcite.local.research.documents.phrases import sentences_of
from rowcite.local.research.question import Question

ROOT = Path(__file__).parents[2]
_SIZE = 10_000
_ASKED = 100
_FIELDS = {
    "industry": {"type": ["string", "null"], "description": "Main industry"},
    "employee_count": {"type": ["integer", "null"], "description": "Latest head count"},
    "founded_year": {"type": ["integer", "null"], "description": "Year of foundation"},
    "headquarters": {"type": ["string", "null"], "description": "City and country of the head office"},
    "ceo": {"type": ["string", "null"], "description": "Who leads it"},
    "stadium_capacity": {"type": ["integer", "null"], "description": "Seats in the stadium"},
    "mascot": {"type": ["string", "null"], "description": "Name of the mascot"},
}


def main() -> None:
    """Write the corpus, index it, ask, and print what it took."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with TemporaryDirectory() as folder, TemporaryDirectory() as cache:
        pages = Path(folder)
        names = _write(pages, count)
        size = sum(path.stat().st_size for path in pages.iterdir())
        print(f"{count} documents, {size / 1e6:.0f} MB")
        _opened("indexed", pages, Path(cache))
        (pages / "000000.html").write_text("<h1>Changed</h1><p>Changed was founded in 1998.</p>")
        _opened("opened again, one document changed", pages, Path(cache))
        corpus = _opened("opened again", pages, Path(cache))
        kept = sum(path.stat().st_size for path in Path(cache).rglob("*") if path.is_file())
        print(f"kept on disk: {kept / 1e6:.0f} MB")
        for processor in ("lite", "base", "core", "pro", "ultra"):
            first, again = (_asked(corpus, names, processor) * 1000 for _ in range(2))
            print(f"{processor}: {first:.1f} ms CPU a run, {again:.1f} ms the second time")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{memory:.0f} MB of memory at most")


def _opened(what: str, pages: Path, cache: Path) -> Corpus:
    """Open the corpus and print what it took, in this process and those beside it."""
    wall, cpu = time.perf_counter(), _cpu()
    corpus = open_corpus(pages, cache)
    wall, cpu = time.perf_counter() - wall, _cpu() - cpu
    print(f"{what} in {wall:.1f} s ({cpu:.1f} s CPU)")
    return corpus


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _asked(corpus: Corpus, names: list[str], processor: str) -> float:
    """Return the CPU seconds of a run, over companies not asked before."""
    chosen = random.Random(processor).sample(names, min(_ASKED, len(names)))
    output = {"type": "json", "json_schema": {"type": "object", "properties": _FIELDS}}
    started = time.process_time()
    for name in chosen:
        corpus.research(Question({"company_name": name}, output, processor))
    return (time.process_time() - started) / len(chosen)


def _write(folder: Path, count: int) -> list[str]:
    """Write pages about a company for every eight documents; return the companies' names."""
    source = open_corpus(ROOT / "sample_data" / "web")
    blocks = (block for document in source.documents for block in document.blocks)
    sentences = [text for block in blocks for text in sentences_of(block)]
    rng = random.Random(7)
    names = [f"{_word(rng)} {_word(rng)}" for _ in range(max(count // 8, 1))]
    for number in range(count):
        name = names[number % len(names)]
        lines, size = (
            [
                f"<h1>{name}</h1><p>{name} employs {rng.randint(5, 900)} people. Founded: {rng.randint(1900, 2020)}</p>"
            ],
            0,
        )
        while size < _SIZE - 300:
            paragraph = " ".join(rng.choices(sentences, k=5))
            lines.append(f"<p>{paragraph}</p>")
            size += len(paragraph)
        page = f'<html><head><link rel="canonical" href="https://{name.split()[0].lower()}{number}.example/"><title>{name}</title></head><body>{"".join(lines)}</body></html>'
        (folder / f"{number:06}.html").write_text(page, encoding="utf-8")
    return names


def _word(rng: random.Random) -> str:
    return "".join(rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") for _ in range(4)).title()


if __name__ == "__main__":
    main()
