"""Which rows are the same answer: ids, copies, exports of the same log, what was taken back."""
