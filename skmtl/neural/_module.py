"""The whole module: embeddings of numbers and categories in front, then what the architecture builds."""

from __future__ import annotations

import torch
from torch import nn

#: Numbers with fewer distinct values than this are not embedded: a straight line says it all, or almost.
_MIN_DISTINCT = 4
#: Rows from which distinct values and quantiles are taken.
_MAX_ROWS = 20_000


class Frontend(nn.Module):
    """Features of a batch: numbers as they are, their embeddings, embeddings of the categories.

    Parameters
    ----------
    numbers : tensor of shape (n_rows, n_numbers)
        Training rows, after scaling.
    n_categories : sequence of int
        Number of categories of each categorical column, the one for unknown not counted.
    embedding : object or None
        Description of the embedding of numbers.
    """

    def __init__(self, numbers, n_categories, embedding):
        super().__init__()
        self.embed = None
        self.n_out = numbers.shape[1]
        if embedding is not None and numbers.shape[1]:
            rows = numbers[:_MAX_ROWS] if len(numbers) <= _MAX_ROWS else numbers[:: len(numbers) // _MAX_ROWS]
            distinct = torch.tensor([len(column.unique()) for column in rows.T])
            chosen = torch.nonzero(distinct >= _MIN_DISTINCT)[:, 0]
            if len(chosen):
                self.embed = embedding.build(rows[:, chosen])
                self.register_buffer("embedded", chosen)
                with torch.no_grad():
                    self.n_out += self.embed(rows[:1, chosen])[0].numel()
        self.categories = nn.ModuleList()
        for n in n_categories:
            size = min(16, round(1.6 * float(n) ** 0.56))
            table = nn.Embedding(int(n) + 1, size)
            nn.init.normal_(table.weight, std=size**-0.5)
            self.categories.append(table)
            self.n_out += size
        self.empty = self.n_out == 0
        self.n_out = max(self.n_out, 1)

    def forward(self, numbers, categories):
        """Map (n_rows, n_numbers) and (n_rows, n_categorical) to (n_rows, n_out)."""
        parts = [numbers]
        if self.embed is not None:
            parts.append(self.embed(numbers[:, self.embedded]).flatten(1))
        parts += [table(categories[:, j]) for j, table in enumerate(self.categories)]
        if self.empty:
            return numbers.new_zeros(len(numbers), 1)
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


class TabularModule(nn.Module):
    """Frontend and architecture in one.

    Parameters
    ----------
    frontend : Frontend
        Embeddings.
    core : torch.nn.Module
        What the architecture built.
    """

    def __init__(self, frontend, core):
        super().__init__()
        self.frontend, self.core = frontend, core
        self.plain = frontend.embed is None and not frontend.categories and not frontend.empty

    def forward(self, numbers, categories, tasks):
        """Raw predictions, (n_rows, [n_members,] n_columns, n_values)."""
        x = numbers if self.plain else self.frontend(numbers, categories)
        return self.core(x, tasks)

    @property
    def representation(self):
        """The shared representation of the last call, or None."""
        return getattr(self.core, "representation", None)

    def forget(self):
        """Let go of the representation of the last call: tensors with a graph can be neither copied nor pickled."""
        if self.representation is not None:
            self.core.representation = None

    def shared_parameters(self):
        """Parameters that the losses of at least two tasks reach."""
        return [p for p in [*self.frontend.parameters(), *self.core.shared_parameters()] if p.requires_grad]


def build_module(numbers, n_categories, embedding, architecture, outputs):
    """Build the module for a table.

    Parameters
    ----------
    numbers : tensor of shape (n_rows, n_numbers)
        Training rows, after scaling.
    n_categories : sequence of int
        Number of categories of each categorical column.
    embedding, architecture : object
        Descriptions.
    outputs : Outputs
        What is to be predicted.
    """
    frontend = Frontend(numbers, n_categories, embedding)
    core = architecture.build(frontend.n_out, outputs)
    if not isinstance(core, nn.Module):
        raise TypeError(f"'architecture' must build a torch.nn.Module. {architecture!r} built a {type(core).__name__}.")
    if not callable(getattr(core, "shared_parameters", None)):
        raise TypeError(
            "'architecture' must build a module with a method 'shared_parameters()'. "
            f"{type(core).__name__} has none; return [] if the tasks share no parameter."
        )
    return TabularModule(frontend, core)
