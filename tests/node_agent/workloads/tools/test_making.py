"""mkdir, rm, touch, ln, chmod and their like."""

import pytest

SCRIPTS = [
    "mkdir a; ls",
    "mkdir -p a/b/c; find a | sort",
    "mkdir a/b",
    "mkdir a; mkdir a",
    "mkdir -p a; mkdir -p a",
    "mkdir",
    "touch f; ls; touch f; ls",
    "touch a b c; rm a b; ls",
    "rm nope",
    "rm -f nope",
    "rm",
    "rm -f",
    "mkdir d; rm d",
    "mkdir d; touch d/x; rm -r d; ls",
    "mkdir d; rm -rf d nope; ls",
    "mkdir -p a/b; rmdir a",
    "mkdir a; rmdir a; ls",
    "ln -s target l; readlink l",
    "echo x > f; ln -s f l; cat l",
    "echo x > f; ln f g; cat g",
    "ln -s a l; ln -s b l",
    "ln -s a l; ln -sf b l; readlink l",
    "mkdir d; touch f; ln -s ../f d; ls d",
    "touch f; chmod 600 f; stat -c %a f",
    "touch f; chmod 644 f; chmod u+x,go-r f; stat -c %a f",
    "touch f; chmod a=r f; stat -c %A f",
    "chmod 644 nope",
    "touch f; chmod zzz f",
    "touch -d @0 f; stat -c %Y f",
    "touch -c nope; ls",
    "touch -d '2024-01-02 03:04:05' f; date -r f +%s",
    "f=$(mktemp); test -f $f && echo made; rm $f",
    "d=$(mktemp -d); test -d $d && echo made; rmdir $d",
    "touch x/y",
    "mkdir d; touch d/f; rmdir d",
    "rm -r .",
    "ln -s loop loop; cat loop",
    "touch f; mkdir f/x",
    "chmod 755",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_does_what_the_machines_own_does(same, script):
    await same(script)
