"""What a writer reuses is what the vault really holds: a damaged table never tells it where a chunk lies."""

from blake3 import blake3

from dr_lib.format import layout
from dr_lib.storage.memory import MemoryStore
from dr_lib.vault.chunk_index import ChunkIndex, load_index, save_index
from dr_lib.vault.pack_writer import PackWriter
from dr_lib.vault.vault import Vault

RAW = b"weights " * 9


def copied(vault: Vault, changed: str, at: int) -> Vault:
    """The same objects in another store, one byte of one of them changed."""
    store = MemoryStore()
    for info in vault.store.list():
        data = vault.store.get(info.key)
        store.create(info.key, data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] if info.key == changed else data)
    return Vault("one", store)


def test_no_changed_byte_of_a_table_or_index_leads_to_other_bytes():
    vault = Vault("one", MemoryStore())
    with PackWriter(vault, ChunkIndex()) as writer:
        writer.store(blake3(RAW).digest(), RAW)
        writer.finish()
    right = writer.stored[0].frames[0]
    for indexed in (False, True):
        if indexed:
            save_index(vault, "p", "shard-0000", writer.outlines)
        key = layout.index_key("p", "shard-0000") if indexed else layout.pack_key(writer.stored[0].ref.sha256)
        start = 0 if indexed else right.offset + right.length
        for at in range(start, len(vault.store.get(key))):
            place = load_index(copied(vault, key, at)).find(blake3(RAW).digest(), len(RAW))
            assert place is None or place.frame == right, at
    assert load_index(vault).find(blake3(RAW).digest(), len(RAW)).frame == right
