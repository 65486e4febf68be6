# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures of several modules; northbound.py has what they are made of."""
import pytest

from northbound import start


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory):
    """Both daemons, for a module."""
    made = start(tmp_path_factory.mktemp("site"))
    yield made
    made.close()


@pytest.fixture
def site(shared_site):
    """The same, with nothing but four ports."""
    shared_site.reset()
    yield shared_site
    while shared_site.clients:
        shared_site.clients.pop().close()


@pytest.fixture
def api(site):
    """An admin's client of it."""
    return site.api()
