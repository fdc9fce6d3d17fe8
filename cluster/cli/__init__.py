"""The command `kubehop`: one module a verb, imported when its verb is given."""
