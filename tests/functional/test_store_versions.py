# SPDX-License-Identifier: BSD-3-Clause
"""What older releases kept is read by this one: tests/data/store/vN.sql."""
import glob
import os
import re
import sqlite3

import pytest

from tenon import Tenon

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data/store")
VERSIONS = sorted(glob.glob(FOLDER + "/v*.sql"))


def rows(path, table):
    with sqlite3.connect(path) as db:
        found = db.execute("SELECT * FROM %s" % table).fetchall()
    db.close()
    return found


def test_every_older_version_is_there():
    with open(os.path.join(FOLDER, "../../../control/store/schema.h")) as f:
        version = int(re.search(r"TN_STORE_VERSION (\d+)", f.read())[1])
    assert [os.path.basename(v) for v in VERSIONS] == ["v%d.sql" % n for n in range(1, version)]


@pytest.mark.parametrize("path", VERSIONS, ids=os.path.basename)
def test_an_older_store_is_brought_up_to_date(tmp_path, path):
    tenon = Tenon(tmp_path, config={"host": "h1"})
    os.mkdir(tmp_path / "tenond")
    with open(path) as f, sqlite3.connect(tmp_path / "tenond/tenond.db") as db:
        db.executescript(f.read())
    db.close()
    try:
        for _ in range(2):  # and once more as this release left it
            tenon.tenond.start()
            api = tenon.client()
            document = api.get("/v1/config").json
            assert [p["name"] for p in document["ports"]] == ["p1", "p2"]
            assert document["tables"][0]["name"] == "acl"
            assert [g["groupId"] for g in document["groups"]] == [7]
            assert [m["index"] for m in document["meters"]] == [5]
            assert [(f["priority"], f["appId"]) for f in document["flows"]] == [
                (100, "app.a"), (200, "org.onosproject.rest")]
            assert api.get("/v1/hosts").json["hosts"][0]["mac"] == "02:00:00:00:00:01"
            answer = api.put("/v1/networks/n", {"vni": 7})
            assert answer.status in (200, 201), answer
            tenon.tenond.stop()
            api.close()
        database = tmp_path / "tenond/tenond.db"
        assert rows(database, "pragma_user_version") == [(len(VERSIONS) + 1,)]
        assert [row[:2] for row in rows(database, "string")][:3] == [
            (1, "org.onosproject.rest"), (2, "0x00000007"), (3, "app.a")]
        if "given" in open(path).read():
            assert rows(database, "given")[0][:3] == (0, "n", 5)
    finally:
        tenon.close()
