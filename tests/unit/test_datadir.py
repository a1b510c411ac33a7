from pathlib import Path

import pytest

from linstock.embedded import datadir
from linstock.embedded.datadir import DataDir, NetworkFileSystem
from linstock.embedded.socketdir import MAX_PATH_BYTES, SOCKET_NAME, UnsafeSocketDir, socket_dir

MOUNTS = """\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/nas rw - cifs //nas/share rw
31 22 0:41 / /mnt/nas/local rw shared:5 master:1 - xfs /dev/sdb1 rw
32 22 0:42 / /mnt/my\\040disk rw - fuse.sshfs host:/ rw
33 22 0:43 / /export rw - nfs4 server:/export rw
34 22 0:44 / /export rw - btrfs /dev/sdc1 rw
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    file = tmp_path / "mountinfo"
    file.write_text(MOUNTS)
    return file


@pytest.mark.parametrize(
    ("path", "kind", "network"),
    [
        ("/srv/linstock", "ext4", False),
        ("/mnt/nas/linstock", "cifs", True),
        ("/mnt/nas/local/linstock", "xfs", False),
        ("/mnt/nasty", "ext4", False),
        ("/mnt/my disk/data", "fuse.sshfs", True),
        ("/export/data", "btrfs", False),  # what was mounted last covers what lay there
    ],
)
def test_the_file_system_is_that_of_the_nearest_mount(mounts: Path, path: str, kind: str, network: bool) -> None:
    assert datadir.file_system(Path(path), mounts) == kind
    assert datadir.is_network(kind) is network


def test_a_network_disk_is_refused_with_where_to_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datadir, "file_system", lambda _: "nfs4")
    with pytest.raises(NetworkFileSystem) as refused:
        DataDir(tmp_path / "data").prepare()
    assert "--data-dir /var/lib/linstock" in str(refused.value)
    assert not (tmp_path / "data").exists()


def test_a_new_directory_is_private(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "a" / "b")
    data.prepare()
    data.prepare()
    assert data.root.stat().st_mode & 0o777 == 0o700


def test_a_short_path_keeps_its_socket_beside_the_data(tmp_path: Path) -> None:
    assert socket_dir(tmp_path, None) == tmp_path / "socket"


def test_a_long_path_gets_a_short_private_socket_and_the_same_one_again(tmp_path: Path) -> None:
    home = tmp_path / ("x" * 120)
    home.mkdir()
    short = socket_dir(home, None)
    assert len(str(short / SOCKET_NAME)) <= MAX_PATH_BYTES
    assert short.stat().st_mode & 0o777 == 0o700
    assert socket_dir(home, None) == short
    short.rmdir()


def test_a_socket_directory_open_to_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "socket").mkdir(mode=0o777)
    (tmp_path / "socket").chmod(0o777)
    with pytest.raises(UnsafeSocketDir):
        socket_dir(tmp_path, None)
