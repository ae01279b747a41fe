"""The claim check: which bodies go through a blob, and that nobody from outside can forge one."""

import json

from handlers.storage import LARGEST_MESSAGE_BYTES, _is_claim


def test_only_our_own_small_envelope_is_a_claim() -> None:
    assert _is_claim(b'{"claim": "2026/11/22/x.json"}')
    assert not _is_claim(b'{"claim": 7}')
    assert not _is_claim(b'{"claim": "x", "schemaId": "azureMonitorCommonAlertSchema"}')
    assert not _is_claim(b'{"claim": "x"')
    assert not _is_claim(json.dumps({"claim": "x" * 500}).encode())


def test_a_body_of_the_largest_size_fits_a_queue_message_in_base64() -> None:
    assert LARGEST_MESSAGE_BYTES * 4 / 3 <= 64 * 1024
