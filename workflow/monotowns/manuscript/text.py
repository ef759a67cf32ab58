"""The manuscript as it is written: its sentences, the claims and numbers in them, what it shows."""

import re
from pathlib import Path

from monotowns.run.errors import InputError

#: Words that claim a sign, a size or a comparison; a sentence with one of them needs a guard.
CLAIMING = re.compile(
    r"\b(?:fell|fall(?:s|en)?|rose|rise[ns]?|grew|grow[ns]?|gain(?:s|ed)?|los(?:t|es)|declin\w+|"
    r"increas\w+|decreas\w+|higher|lower|larger|smaller|stronger|weaker|exceed\w*|outperform\w*|"
    r"no detectable|cannot be told from|significant\w*|falls? behind|caught up|fewer|by chance|"
    r"chance (?:gives|alone|would)|reject\w*|not different|hangs? on one|does not foresee|"
    r"упал\w*|вырос\w*|выше|ниже|больше|меньше|не обнаруж\w+|отста\w+|снизил\w*|случайно|"
    r"не предсказыва\w*)\b",
    re.IGNORECASE,
)
CLAIM = re.compile(r'#claim\("([^"]+)"\)\[')
#: A figure or table: its call with brackets up to three deep, a caption, a label.
FLOAT = re.compile(
    r"#(?:(?:result_)?(?:figure|table))\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
    r"(?:\[[^\]]*\])?(?:\s*<[\w-]+>)?"
)
NUMBER = re.compile(r'#(?:n|interval)\("([^"]+)"\)')


def needs_of(source: str) -> list[str]:
    """Stages and tables that a section needs: its first line, ``// needs: build_stages ...``."""
    needs = re.match(r"//\s*needs:(.*)", source)
    return needs[1].split() if needs else []


def sections_lacking(sources: dict[str, str], lacking: dict[str, str]) -> dict[str, str]:
    """Say what every section (name -> source) lacks that cannot be shown.

    ``lacking`` has the rules that cannot run, each with the tables that it lacks.
    """
    absent = {table for why in lacking.values() for table in why.split(", ")}
    found = {}
    for name, source in sources.items():
        needs = needs_of(source)
        words = [word for need in needs for word in lacking.get(need, "").split(", ") if word]
        words += [need for need in needs if need in absent]
        if words:
            found[name] = ", ".join(dict.fromkeys(words))
    return found


def claimed(source: str) -> dict[str, str]:
    """Collect the claims of a Typst source: identifier -> what stands in its brackets.

    Raises
    ------
    InputError
        A bracket is not closed or an identifier is used twice.
    """
    found = {}
    for match in CLAIM.finditer(source):
        depth, place = 1, match.end()
        while depth and place < len(source):
            depth += {"[": 1, "]": -1}.get(source[place], 0)
            place += 1
        if depth:
            raise InputError("manuscript", "a claim is not closed", keys=[match[1]])
        if match[1] in found:
            raise InputError("manuscript", "a claim's name is used twice", keys=[match[1]])
        found[match[1]] = source[match.end() : place - 1]
    return found


def prose(source: str) -> str:
    """Return the running text of a Typst source: no code lines, figures, comments or references.

    Numbers read from the results stand as ``{name}``, so that a digit left over was typed.
    """
    text = re.sub(r"//[^\n]*", "", source)
    text = re.sub(r"^#(?:import|include|let|set|show)[^\n]*$", "", text, flags=re.MULTILINE)
    text = FLOAT.sub("", text)
    # A heading is no part of the sentence after it.
    text = re.sub(r"^=+ (.*)$", r"\n\1\n", text, flags=re.MULTILINE)
    text = NUMBER.sub(r"{\1}", text)
    # lib.typ's names for the ends of the window are numbers too.
    text = re.sub(r"#(first|last)\b", r"{year.\1}", text)
    text = CLAIM.sub("[", text)
    return re.sub(r"\$[^$]*\$|@[\w-]+|<[\w-]+>|#(?:set )?\w+(?:\([^)]*\))?", "", text)


def sentences(text: str) -> list[str]:
    """Split running text into sentences."""
    parts = re.split(r"(?<=[.!?])[\])]*\s+(?=[A-ZА-ЯЁ\[{*])|\n\s*\n", text)
    return [" ".join(part.split()) for part in parts if part.strip()]


def filled(sentence: str, numbers: dict[str, str]) -> str:
    """Write the numbers of a sentence of :func:`prose` as they are printed, intervals with "to"."""

    def text(match):
        name = match[1]
        ends = [numbers.get(f"{name}.{end}", "?") for end in ("low", "high")]
        return numbers.get(name) or " to ".join(ends)

    return re.sub(r"\{([^}]*)\}", text, sentence).replace(" ()", "").strip("*_[] ")


def typed_digits(source: str, allowed) -> list[str]:
    """List sentences with a digit neither read from the results nor ``allowed`` (years, levels)."""
    found = []
    for sentence in sentences(prose(source)):
        bare = re.sub(r"\{[^}]*\}", "", sentence)
        digits = [d for d in re.findall(r"\d+(?:[.,]\d+)*", bare) if d not in set(allowed)]
        if digits:
            found.append(f"{', '.join(digits)} in: {sentence}")
    return found


def unguarded(source: str) -> list[str]:
    """List sentences that claim something and stand in no ``#claim``."""
    for name, inside in claimed(source).items():
        source = source.replace(f'#claim("{name}")[{inside}]', "")
    # The names of numbers are no words of the text.
    return [s for s in sentences(prose(source)) if CLAIMING.search(re.sub(r"\{[^}]*\}", "", s))]


#: What a source shows: a number or interval of the results, a figure, a table.
SHOWN = {
    "number": re.compile(r'#n\("([^"]+)"\)'),
    "figure": re.compile(r'#result_figure\(\s*"([^"]+)"'),
    "table": re.compile(r'#result_table\(\s*"/([^"]+)"'),
}
INTERVAL = re.compile(r'#interval\("([^"]+)"\)')


def without_result(source: str, numbers, present) -> dict[str, dict[str, str]]:
    """List what a source shows and these results do not have.

    Parameters
    ----------
    numbers, present : collection of str
        Names of the numbers, paths of the figures and tables that there are.

    Returns
    -------
    dict
        ``number``, ``figure``, ``table`` -> name -> why it is not shown.
    """
    names = {kind: set(pattern.findall(source)) for kind, pattern in SHOWN.items()}
    names["number"] |= {f"{i}.{end}" for i in INTERVAL.findall(source) for end in ("low", "high")}
    figures = {Path(path).stem for path in present if Path(path).parent.name == "figures"}
    have = {"number": set(numbers), "table": set(present), "figure": figures}
    return {
        kind: dict.fromkeys(sorted(found - have[kind]), "no such result")
        for kind, found in names.items()
    }
