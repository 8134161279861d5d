-- Order: that of the list, by the columns `id` and `key` of the result.
key DESC, id DESC
