"""How threads share the steps of growing one tree.

A step is cut into chunks, and every thread takes the next chunk that nobody has taken. The thread that grows the tree
waits only for chunks that another thread is at work on: if no other thread comes, or one comes late, it does all of
them itself. So there is nothing to lock, nobody can be waited for in vain, and a thread that finds the tree finished
leaves.

All is agreed through one word, the ticket: the number of the tree (high bits), the number of the step and how many of
its chunks are still to be taken. Who wants a chunk replaces the ticket by one with a chunk less, which fails if
somebody else was faster or the step is over.
"""

from __future__ import annotations

import numpy as np

from ..._shared.jit import borrowing
from .atomic import add, exchange_if, give_way, load, store

#: Places in the control array; each has a cache line of its own. From STEP on: what the step is, written by its owner.
TICKET, DONE, STEP = 0, 16, 32
CONTROL_WORDS = 64
#: A step has at most this many chunks.
MOST_CHUNKS = 64
#: What `take_chunk` says when there is no chunk: none at present, or none any more.
IDLE, OVER = -1, -2

#: Where the number of the tree begins in the ticket, and how many numbers there are; 0 is no tree.
TREE_BIT, MOST_TREES, CLOSED = 40, 2**22, 0
_CHUNK_BITS = 8
#: Looks at a word before the processor is left to others.
_PATIENCE = 5000


@borrowing
def close_tree(control):
    """Send the other threads away."""
    store(control, TICKET, CLOSED)


@borrowing
def offer_chunks(control, n_chunks):
    """Begin a step of so many chunks."""
    store(control, DONE, 0)
    step = (load(control, TICKET) >> _CHUNK_BITS) + 1
    store(control, TICKET, (step << _CHUNK_BITS) | n_chunks)


@borrowing
def take_chunk(control, tree):
    """Next chunk of the step, IDLE or OVER."""
    while True:
        ticket = load(control, TICKET)
        if ticket >> TREE_BIT != tree:
            return OVER
        left = ticket & ((1 << _CHUNK_BITS) - 1)
        if left == 0:
            return IDLE
        if exchange_if(control, TICKET, ticket, ticket - 1):
            return left - 1


@borrowing
def finish_chunk(control):
    """Say that a chunk is done."""
    add(control, DONE, 1)


@borrowing
def wait(turns):
    """Called in every turn of a loop that waits: now and then leaves the processor to others. Returns ``turns + 1``."""
    if turns % _PATIENCE == _PATIENCE - 1:
        give_way()
    return turns + 1


@borrowing
def await_chunks(control, n_chunks):
    """Wait for the chunks that other threads have taken."""
    turns = np.int64(0)
    while load(control, DONE) < n_chunks:
        turns = wait(turns)
