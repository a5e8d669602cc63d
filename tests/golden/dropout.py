"""The masks of dropout, and the numbers of its places, written down a second time.

A site is a place in the model: a number of 24 bits, above it the kind of place in 4, above
that whether it is in the encoder.  Block l of H heads has numbers 1 + l (H + 2): what
attention adds, what the feed-forward part adds, then its heads.
"""
import numpy as np
import torch

SEED, STEP = 77, 123456789012
SAMPLES = [5, 0x300000007, 11]
PHILOX_DROPOUT = 2
STREAM, CROSS, HIDDEN, WORD = range(4)


def site(kind, number, encoder):
    return encoder << 28 | kind << 24 | number


def block_site(kind, block, heads, place, encoder):
    return site(kind, 1 + block * (heads + 2) + place, encoder)


def philox(key, counter):
    """Philox 4x32-10 (Salmon 2011)."""
    k0, k1 = key
    x = [np.atleast_1d(np.asarray(c, dtype=np.uint64)) for c in counter]
    for _ in range(10):
        p0, p1 = x[0] * np.uint64(0xD2511F53), x[2] * np.uint64(0xCD9E8D57)
        x = [(p1 >> np.uint64(32)) ^ x[1] ^ np.uint64(k0), p1 & np.uint64(0xFFFFFFFF),
             (p0 >> np.uint64(32)) ^ x[3] ^ np.uint64(k1), p0 & np.uint64(0xFFFFFFFF)]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return x


def factors(index, p, at, sample):
    """1/(1-p) or 0 for the elements numbered `index` (any shape)."""
    words = philox((SEED & 0xFFFFFFFF, SEED >> 32), (PHILOX_DROPOUT, 0, 0, 0))
    key = (int(words[0][0]), int(words[1][0]))
    index = np.asarray(index, dtype=np.uint64)
    same = np.zeros_like(index)
    words = philox(key, (index // np.uint64(4), same + np.uint64(at),
                         same + np.uint64(sample & 0xFFFFFFFF),
                         same + np.uint64(STEP & 0xFFFFFFFF)))
    word = np.choose((index % np.uint64(4)).astype(int), words)
    return torch.tensor((word >= int(p * 2**32)) / (1 - p))


def drop_rows(x, p, at):
    """x [B,T,C]; elements of a sequence are numbered from 0, row by row."""
    if p == 0:
        return x
    B, T, C = x.shape
    index = np.arange(T * C).reshape(T, C)
    return x * torch.stack([factors(index, p, at, SAMPLES[b]) for b in range(B)])


def drop_words(x, p, at):
    """x [B,T,C]; rows of a sequence are numbered from 0 and go whole."""
    if p == 0:
        return x
    B, T, _ = x.shape
    index = np.arange(T)[:, None]
    return x * torch.stack([factors(index, p, at, SAMPLES[b]) for b in range(B)])


def drop_weights(a, p, at, lengths):
    """a [B,H,T,S]; row t of a head starts at element t * (keys of the sequence, without
    padding, rounded up to 16)."""
    if p == 0:
        return a
    B, H, T, S = a.shape
    rows, columns = np.arange(T)[:, None], np.arange(S)[None, :]
    index = [rows * ((lengths[b] + 15) // 16 * 16) + columns for b in range(B)]
    return a * torch.stack([torch.stack([factors(index[b], p, at + h, SAMPLES[b])
                                         for h in range(H)]) for b in range(B)])
