"""cp and mv."""

import pytest

SCRIPTS = [
    "echo a > f; cp f g; cat g",
    "echo a > f; mkdir d; cp f d; cat d/f",
    "echo a > f; cp f d/g",
    "mkdir a; cp a b",
    "mkdir -p a/b; echo x > a/b/f; cp -r a c; find c | sort; cat c/b/f",
    "mkdir a c; touch a/f; cp -r a c; find c | sort",
    "touch a b; cp a b c",
    "touch a b; mkdir d; cp a b d; ls d",
    "cp nope f",
    "cp",
    "touch f; cp f",
    "echo a > f; mv f g; ls; cat g",
    "touch f; mkdir d; mv f d; find . | sort",
    "mv nope x",
    "mkdir a b; mv a b; find . | sort",
    "echo 1 > a; echo 2 > b; mv a b; cat b; ls",
    "echo 1 > a; echo 2 > b; cp -n a b; cat b",
    "touch f; chmod 755 f; cp f g; stat -c %a g",
    "touch -d @5 f; cp -p f g; stat -c %Y g",
    "ln -s x l; cp -a l m; readlink m",
    "echo a > f; cp f f",
    "mkdir d; cp -r d d/e",
    "touch a; mv a b c",
    "mkdir d; touch f; mv -t d f; ls d",
    "echo a > f; ln -s f l; cp l g; cat g; test -L g || echo file",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_does_what_the_machines_own_does(same, script):
    await same(script)
