-- Order: that of the list, by the columns `id` and `key` of the result.
id /* oldest: ASC */ DESC
