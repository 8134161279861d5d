-- Takes over the background work of all processes until the end of the transaction, unless another one has it. Returns
-- whether this transaction has it. Run again and again, it also keeps the transaction from being ended as idle.
SELECT background_work_take()
