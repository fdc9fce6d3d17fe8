"""`echo [-n] [-e] [-E] [WORD]...`"""

from node_agent.workloads.tools.escapes import Stop, unescaped
from node_agent.workloads.tools.process import Process


async def run(process: Process) -> int:
    """Write the words."""
    words = list(process.arguments)
    line_end, escapes = "\n", False
    while words and len(words[0]) > 1 and words[0][0] == "-" and set(words[0][1:]) <= set("neE"):
        for letter in words.pop(0)[1:]:
            if letter == "n":
                line_end = ""
            else:
                escapes = letter == "e"
    text = " ".join(words)
    try:
        text = unescaped(text, stops=True) if escapes else text
    except Stop as stop:
        text, line_end = str(stop), ""
    await process.write(text + line_end)
    return 0
