"""One module a scenario: each plays on a stage, shows what it does and claims what must be so."""
