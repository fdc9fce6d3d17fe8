"""test and [."""

import pytest

SCRIPTS = [
    "test a = a; echo $?",
    "test a = b; echo $?",
    "test a != b; echo $?",
    "test -n a; echo $?",
    "test -z ''; echo $?",
    "test; echo $?",
    "test x; echo $?",
    "test ''; echo $?",
    "[ 1 -lt 2 ]; echo $?",
    "[ 2 -le 1 ]; echo $?",
    "[ 3 -eq 3 -a 4 -ne 5 ]; echo $?",
    "[ -f /etc/passwd ]; echo $?",
    "[ -d /etc ]; echo $?",
    "[ -e /nope ]; echo $?",
    "touch f; [ -s f ]; echo $?",
    "echo x > f; [ -s f ]; echo $?",
    "ln -s x l; [ -L l ]; echo $?",
    "ln -s x l; [ -e l ]; echo $?",
    "[ ! -f /nope ]; echo $?",
    "[ a = a -o b = c ]; echo $?",
    "[ '(' a = a ')' ]; echo $?",
    "[ 1 -lt x ] 2>/dev/null; echo $?",
    "[ a = ] 2>/dev/null; echo $?",
    "[ a; echo $?",
    "touch -d @1 a; touch b; [ b -nt a ]; echo $?",
    "touch -d @1 a; touch b; [ a -ot b ]; echo $?",
    "touch a; [ a -ef a ]; echo $?",
    "[ -x /bin/sh ]; echo $?",
    "[ ! a ]; echo $?",
    "[ -r /etc/passwd ]; echo $?",
    "[ = = = ]; echo $?",
    "[ -t 0 ]; echo $?",
    "[ ! ]; echo $?",
    "[ -z ]; echo $?",
    "[ ! a = b ]; echo $?",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_it_does_what_the_machines_own_does(same, script):
    await same(script)
