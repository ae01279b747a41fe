"""What is kept of a line of syslog: a word, and the disk of an error."""

from __future__ import annotations

import pytest

from handlers.facts.logs import _syslog_word

DENIED = 'avc:  denied  { execute } for  pid=4711 comm="waagent" path="/var/lib/waagent/x" tclass=file permissive='


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (f"audit: type=1400 audit(1732612345.123:456): {DENIED}0", "avc"),
        (f"audit: type=1400 audit(1732612345.123:456): {DENIED}1", ""),
        ("EXT4-fs error (device sdc1): ext4_find_entry:1455: inode #2", "io_error sdc1"),
        ("Buffer I/O error on dev dm-2, logical block 0, lost async page write", "io_error dm-2"),
        ("blk_update_request: I/O error, dev sdd, sector 2048 op 0x1:(WRITE)", "io_error sdd"),
        ("XFS (sdc1): Metadata I/O error in xfs_trans_read_buf_map", "io_error sdc1"),
        ("XFS (dm-4): Corruption detected. Unmount and run xfs_repair", "io_error dm-4"),
        ("BTRFS error (device sdb): bdev /dev/sdb errs: wr 1", "io_error sdb"),
        ("INFO: task jbd2/sdc1-8:523 blocked for more than 120 seconds.", "io_error"),
        ("Buffer I/O error on dev `reboot`, logical block 0", "io_error"),
        ("walinuxagent.service: Failed with result 'exit-code'.", "stopped"),
    ],
)
def test_a_line_of_syslog_is_told_in_a_word(text: str, word: str) -> None:
    assert _syslog_word(text) == word
