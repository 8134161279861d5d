-- Value: what the order of the list compares before the ids of the tickets `t`.
t.updated_at
