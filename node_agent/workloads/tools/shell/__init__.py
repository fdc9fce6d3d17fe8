"""The shell: scanner and parser (text to a tree), expansion, evaluation, builtins, prompt."""
