"""What holds for every test: how hypothesis draws on a machine that others use too."""

from hypothesis import HealthCheck, settings

# How long a draw or an example takes says something of the machine, not of what is tested.
settings.register_profile(
    "shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared machine")
