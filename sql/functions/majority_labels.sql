-- Returns the labels of a text as an array of 1 and 0: of each field the label with the highest count, none when
-- there is a tie. The first four are categories. An expression: it is computed up to twice for each training example.
CREATE OR REPLACE FUNCTION majority_labels(label_counts bigint[]) RETURNS bigint[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ARRAY[
        label_counts[1] > greatest(0, label_counts[2], label_counts[3], label_counts[4]),
        label_counts[2] > greatest(0, label_counts[1], label_counts[3], label_counts[4]),
        label_counts[3] > greatest(0, label_counts[1], label_counts[2], label_counts[4]),
        label_counts[4] > greatest(0, label_counts[1], label_counts[2], label_counts[3]),
        label_counts[5] > greatest(0, label_counts[6], label_counts[7], label_counts[8]),
        label_counts[6] > greatest(0, label_counts[5], label_counts[7], label_counts[8]),
        label_counts[7] > greatest(0, label_counts[5], label_counts[6], label_counts[8]),
        label_counts[8] > greatest(0, label_counts[5], label_counts[6], label_counts[7])
    ]::integer[]::bigint[];
