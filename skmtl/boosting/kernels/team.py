"""How threads share the steps of growing trees.

A step is cut into chunks, and every thread takes the next chunk that nobody has taken. The thread that grows the tree
waits only for chunks that another thread is at work on: if no other thread comes, or one comes late, it does all of
them itself. So there is nothing to lock, and nobody can be waited for in vain. A thread that finds the tree finished
stays for a while, in case there is another one: to wake it up takes longer than half of a small tree.

All is agreed through one word, the ticket: the number of the tree (high bits), the number of the step and the first and
the end of its chunks that are still to be taken. Who wants a chunk replaces the ticket by one with a chunk less, which
fails if somebody else was faster or the step is over. Every other thread takes chunks from the end: what a chunk reads
and writes, above all the sums of its features, is then mostly in the cache of the thread that takes it again.
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

#: Where the number of the tree begins in the ticket, and how many numbers there are.
_TREE_BIT, MOST_TREES = 40, 2**22
#: Tickets of no tree: there may be another one; there will be none.
CLOSED, DISMISSED = 0, -1
#: Bits of the end of the chunks, and of their beginning and end.
_END_BITS, _CHUNK_BITS = 8, 16
#: Looks at a word before the processor is left to others, and before a thread no longer waits for a tree (about a
#: millisecond).
_PATIENCE, _LONGEST_WAIT = 5000, 500_000


@borrowing
def open_tree(control, tree):
    """Begin a tree."""
    store(control, TICKET, np.int64(tree) << _TREE_BIT)


@borrowing
def close_tree(control):
    """Let the other threads wait for the next tree."""
    store(control, TICKET, CLOSED)


@borrowing
def await_tree(control):
    """Wait for a tree and return its number, or OVER if there is none."""
    turns = np.int64(0)
    while turns < _LONGEST_WAIT:
        ticket = load(control, TICKET)
        if ticket < 0:
            return OVER
        if ticket != CLOSED:
            return ticket >> _TREE_BIT
        turns = wait(turns)
    return OVER


@borrowing
def offer_chunks(control, n_chunks):
    """Begin a step of so many chunks."""
    store(control, DONE, 0)
    step = (load(control, TICKET) >> _CHUNK_BITS) + 1
    store(control, TICKET, (step << _CHUNK_BITS) | n_chunks)


@borrowing
def take_chunk(control, tree, member):
    """Next chunk of the step, IDLE or OVER."""
    while True:
        ticket = load(control, TICKET)
        if ticket >> _TREE_BIT != tree:
            return OVER
        begin = (ticket >> _END_BITS) & ((1 << _END_BITS) - 1)
        end = ticket & ((1 << _END_BITS) - 1)
        if begin >= end:
            return IDLE
        if member % 2 == 0:
            if exchange_if(control, TICKET, ticket, ticket + (1 << _END_BITS)):
                return begin
        elif exchange_if(control, TICKET, ticket, ticket - 1):
            return end - 1


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
