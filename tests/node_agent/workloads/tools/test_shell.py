"""Scripts, run here and by the machine's own sh: the same output and the same exit code."""

import asyncio

import pytest

from node_agent.workloads.tools.process import Captured, Pipe

SCRIPTS = [
    "echo hi",
    "echo a; echo b",
    "echo 'single $x' \"double $x\" un\\ quoted",
    "x=1; echo $x ${x}y \"$x\" '$x'",
    "false; echo $?",
    "true && echo yes || echo no",
    "false && echo yes || echo no",
    "! true; echo $?",
    "! false; echo $?",
    "echo a b   c",
    "x='a  b'; echo $x \"$x\"",
    "echo one | cat",
    "printf 'b\\na\\n' | sort | head -n 1",
    "echo hi > /tmp/__x; cat /tmp/__x; rm /tmp/__x",
    "echo a >/tmp/__y; echo b >>/tmp/__y; cat </tmp/__y; rm /tmp/__y",
    "echo err >&2",
    "{ echo out; echo err >&2; } 2>&1 | sort",
    "ls /nonexistent 2>/dev/null; echo $?",
    "cat <<EOF\nhello $((1+2))\n\\$x `echo sub`\nEOF",
    "cat <<'EOF'\nhello $x\nEOF",
    "cat <<-EOF\n\tindented\n\tEOF",
    "x=5; cat <<EOF | tr 5 6\nvalue $x\nEOF",
    "echo $(echo $(echo deep))",
    "echo \"$(printf 'a\\nb\\n\\n')\"",
    "echo `echo back`",
    "x=$(false); echo $?",
    "x=$(exit 3); echo $?",
    "unset x; echo ${x:-default} ${x-other} [${x:+set}] [${x+set}]",
    "x=; echo [${x:-default}] [${x-other}] [${x:+set}] [${x+set}]",
    "echo ${x:=assigned} $x",
    "x=hello; echo ${#x}",
    "x=/a/b/c.tar.gz; echo ${x#*/} ${x##*/} ${x%.*} ${x%%.*}",
    'x="a b"; set -- $x; echo $# $1 $2',
    'set -- "a b" c; for i in "$@"; do echo "[$i]"; done',
    'set -- "a b" c; for i in $@; do echo "[$i]"; done',
    'set -- a b; echo "$*"; IFS=-; echo "$*"',
    "set -- a b c; shift; echo $1 $#",
    'IFS=:; x=a:b::c; for i in $x; do echo "[$i]"; done',
    "for i in 1 2 3; do echo $i; done",
    "for i in 1 2 3; do [ $i = 2 ] && continue; echo $i; done",
    "for i in 1 2 3; do [ $i = 2 ] && break; echo $i; done",
    "for i in 1 2; do for j in a b; do [ $j = b ] && continue 2; echo $i$j; done; done",
    "i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done",
    "i=0; until [ $i -ge 3 ]; do i=$((i+1)); done; echo $i",
    "if true; then echo yes; else echo no; fi",
    "if false; then echo 1; elif true; then echo 2; else echo 3; fi",
    "if [ -f /etc/passwd ] && [ -d /etc ]; then echo both; fi",
    "case abc in a*) echo starts;; *) echo other;; esac",
    "case x in a|x) echo match;; esac",
    "case 5 in [0-9]) echo digit;; [!0-9]) echo not;; esac",
    "case '*' in '*') echo star;; esac",
    "f() { echo in $1; return 3; }; f arg; echo $?",
    "f() { local x=2; echo $x; }; x=1; f; echo $x",
    "f() { echo $#; }; f a 'b c'",
    "x=1; (x=2; echo $x); echo $x",
    "x=1; { x=2; }; echo $x",
    "(exit 4); echo $?",
    "exit 7",
    "set -e; false; echo unreached",
    "set -e; false || true; echo reached",
    "set -e; if false; then :; fi; echo reached",
    "set -e; ! true; echo reached",
    "set -eu; x=${undefined:-ok}; echo $x",
    "echo $((1+2*3)) $(( (1+2)*3 )) $((7/2)) $((-7/2)) $((7%3)) $((2<3)) $((1?5:6))",
    "x=4; echo $((x*x)) $(($x+1)); echo $((x+=2)) $x",
    "echo $((0x1f)) $((010)) $((1<<4)) $((5&3)) $((5|3)) $((5^3)) $((~0)) $((!0))",
    "echo *.none '*'",
    "cd /etc; echo host[s]; echo hos*s; pwd",
    "cd /tmp; cd ..; pwd; cd - >/dev/null; pwd",
    "echo {a,b}",
    "echo a#b # comment",
    "# only a comment\necho after",
    "echo a \\\n b",
    "true; false; true | false; echo $?",
    "false | true; echo $?",
    "echo x | { read a; echo got $a; }",
    "printf 'a b c\\n' | while read x y; do echo \"$x-$y\"; done",
    'printf \'one\\ntwo\' | while read l || [ -n "$l" ]; do echo "<$l>"; done',
    "printf '  x  y  \\n' | { read a; echo \"[$a]\"; }",
    "printf 'a\\\\tb\\n' | { read -r a; printf '%s\n' \"$a\"; }",
    "IFS=, read a b <<EOF\n1,2,3\nEOF\necho $a $b",
    "export A=1; env | grep ^A=",
    "A=2 env | grep ^A=",
    "A=1; A=2 true; echo $A",
    "unset A; A=5 sh -c 'echo $A'; echo [$A]",
    "sh -c 'echo $0 $1' name arg",
    "eval 'x=3; echo $x'",
    "x=y; eval $x=4; echo $y",
    "command -v cd; command -v nonexistent; echo $?",
    "type cd",
    "trap 'echo bye' EXIT; echo hi",
    "trap 'echo bye' EXIT; exit 3",
    "(trap 'echo sub' EXIT); echo after" if False else "echo skip",
    "sleep 0 & wait; echo done",
    "sleep 0 & wait $!; echo $?",
    "(exit 5) & wait $!; echo $?",
    "echo a && echo b | tr b c && echo d",
    "nonexistent_command 2>/dev/null; echo $?",
    "/nonexistent/path 2>/dev/null; echo $?",
    "test 1 -lt 2 -a 3 -gt 2; echo $?",
    "[ a = b ] || echo differ",
    "[ -z '' ] && [ -n x ] && [ ! -e /nope ] && echo ok",
    "[ 1 -eq 1 -o 1 -eq 2 ]; echo $?",
    "echo ~root ~",
    "HOME=/x; echo ~ ~/y '~'",
    "exec 3>/tmp/__z; echo to3 >&3; exec 3>&-; cat /tmp/__z; rm /tmp/__z",
    "exec echo replaced; echo unreached",
    "x='a*b'; echo \"$x\" '$x'",
    "readonly r=1; echo $r",
    "printf '%s-%d-%05.1f|%5s|%-5s|%x\\n' a 42 3.14159 hi hi 255",
    "printf '%s\\n' a b c",
    "printf '%b' 'a\\tb\\n'",
    "printf 'no newline'",
    "echo \"a\\\"b\" 'it'\\''s'",
    "x=1; x=$x$x; echo $x",
    "a=1 b=2; echo $a$b",
    "if ! grep -q nope /etc/passwd; then echo absent; fi",
    "while :; do break; done; echo out",
    'x=abc; case $x in "a"*) echo quoted;; esac',
    'echo ${x:-"a  b"}',
    'set -- ; echo $# "$@" end',
    'set -- a; echo "x$@y"',
    "f() { echo \"$@\"; }; f 'a  b' c",
    "echo \"$((2*3))\" '$((2*3))'",
    "echo $(( $(echo 2) + 1 ))",
    "x=$(cat <<EOF\ninside\nEOF\n); echo $x",
    "umask 022; umask",
    "echo a >/dev/null; echo b 1>&2 2>/dev/null; echo c",
    "yes | head -n 2",
    "seq 3 | while read n; do echo $((n*n)); done",
    "false; x=1; echo $?",
    "x=5; while [ $x -gt 0 ]; do x=$((x-1)); [ $x = 2 ] && break; done; echo $x",
    "{ echo a; exit 2; } ; echo no",
    "return 2>/dev/null; echo $?" if False else "echo skip",
]


@pytest.mark.parametrize("script", SCRIPTS)
async def test_a_script_does_what_sh_does(container, machine, tmp_path, script):
    here = await container.sh(script)
    there = machine.run(["dash", "-c", script], tmp_path)
    assert (here.code, here.out) == (there.code, there.out), here.err
    assert bool(here.err) == bool(there.err), (here.err, there.err)


@pytest.mark.parametrize(
    ("script", "out"),
    [
        ("x=hello; echo ${x/l/L} ${x//l/L} ${x:1:3} ${x: -2}", "heLlo heLLo ell lo\n"),
        ("echo $'a\\tb'", "a\tb\n"),
        ("cat <<< word", "word\n"),
        ("set -o pipefail; false | true; echo $?", "1\n"),
        ("[[ abc == a* ]] && echo yes", "yes\n"),
        ("echo a &> /tmp/both; cat /tmp/both", "a\n"),
        ("function f { echo f; }; f", "f\n"),
        ("ls /nope |& grep -c nope", "1\n"),
        ("let x=3+4; echo $x", "7\n"),
        ("source /tmp/s a; echo $y", "3 a\n"),
    ],
)
async def test_what_people_know_from_bash(container, script, out):
    container.put("/tmp/s", 'y="3 $1"\n')
    assert (await container.sh(script)).out == out


@pytest.mark.parametrize(
    "script",
    ["if", "if true", "for", "case x", "echo 'open", "(", "{ echo", ")", "fi", "a && ", "x=${",
     "| a", "for 1 in a; do b; done",
     "cat <<E\nnever ended", "f( { }", "echo $(", "while true; do"],
)  # fmt: skip
async def test_what_is_no_script_is_said_with_code_2(container, script):
    result = await container.sh(script)
    assert result.code == 2
    assert result.err.startswith("sh: syntax error: ")


async def test_an_endless_loop_leaves_the_loop_its_turns_and_can_be_cancelled(container):
    ran = asyncio.ensure_future(container.sh("while :; do :; done"))
    for _ in range(100):
        await asyncio.sleep(0)
    assert not ran.done()
    ran.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ran
    assert container.commands.table.all() == []


async def test_a_signal_ends_one_command_and_not_the_shell(container):
    result = await container.sh("sleep 100 & kill $!; wait $!; echo $?")
    assert (result.code, result.out) == (0, "143\n")


async def test_a_writer_whose_reader_is_gone_ends(container):
    result = await container.sh("while true; do echo y; done | head -n 3; echo ${PIPESTATUS:-ok}")
    assert result.out == "y\ny\ny\nok\n"


async def test_recursion_ends_with_a_message(container):
    result = await container.sh("f() { f; }; f")
    assert result.code == 2
    assert "nesting" in result.err or "nested" in result.err


async def test_a_script_comes_by_standard_input_as_it_is_written(container):
    stdin, out = Pipe(), Captured()
    run = asyncio.ensure_future(container.commands.run(["sh"], stdin=stdin, stdout=out, stderr=out))
    await stdin.write(b"echo first\n")
    async with asyncio.timeout(5):
        while out.text != "first\n":  # noqa: ASYNC110
            await asyncio.sleep(0)
    await stdin.write(b"read x\nvalue\necho $x; exit 3\n")
    async with asyncio.timeout(5):
        assert await run == 3
    assert out.text == "first\nvalue\n"


async def test_x_shows_commands_and_u_refuses_what_is_unset(container):
    assert (await container.sh("set -x; x=1; echo $x")).err == "+ x=1\n+ echo 1\n"
    result = await container.sh("set -u; echo $nothing; echo after")
    assert (result.code, result.out) == (2, "")
    assert "nothing: parameter not set" in result.err


async def test_a_script_file_is_a_command(container):
    container.put("/usr/local/bin/greet", "#!/bin/sh\necho hello $1 from $0\n", 0o755)
    container.put("/tmp/plain", "echo plain\n", 0o644)
    assert (await container.run("/usr/local/bin/greet", "you")).out == (
        "hello you from /usr/local/bin/greet\n"
    )
    assert (await container.run("/tmp/plain")).code == 126
    assert (await container.sh(". /tmp/plain")).out == "plain\n"
