"""sort and uniq."""

import pytest

SCRIPTS = [
    "printf 'b\\na\\nc\\n' | sort",
    "printf 'b\\na\\nc\\n' | sort -r",
    "printf '10\\n9\\n1\\n' | sort",
    "printf '10\\n9\\n1\\n' | sort -n",
    "printf '10\\n9\\n1\\n' | sort -rn",
    "printf 'a\\na\\nb\\n' | sort -u",
    "printf 'x 3\\ny 1\\nz 2\\n' | sort -k2",
    "printf 'x 3\\ny 1\\nz 20\\n' | sort -k2n",
    "printf 'x:3\\ny:1\\n' | sort -t: -k2,2",
    "printf 'x:3:b\\ny:1:a\\n' | sort -t : -k 3",
    "printf 'B\\na\\nC\\n' | sort -f",
    "printf '2K\\n1M\\n3\\n' | sort -h",
    "printf 'v1.10\\nv1.9\\n' | sort -V",
    "printf 'b\\na\\n' > f; sort -o f f; cat f",
    "sort nope",
    "printf 'a\\nb\\n' | sort -c",
    "printf 'b\\na\\n' | sort -c 2>/dev/null",
    "printf 'x 1\\ny 2\\n' | sort -k2nr",
    "printf 'a\\na\\nb\\na\\n' | uniq",
    "printf 'a\\na\\nb\\na\\n' | uniq -c",
    "printf 'a\\na\\nb\\n' | uniq -d",
    "printf 'a\\na\\nb\\n' | uniq -u",
    "printf 'A\\na\\n' | uniq -i",
    "printf '1 a\\n2 a\\n' | uniq -f 1",
    "printf 'b 1\\na 1\\n' | sort -k2,2 -k1,1",
    "sort -Q",
    "sort -k0 /dev/null",
    "printf -- '-1\\n2\\n-10\\n' | sort -n",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_does_what_the_machines_own_does(same, script):
    await same(script)
