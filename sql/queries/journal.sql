-- name: journal_partitions
-- Make the journal's partitions of this week and the next by the store's clock, and drop those that no repeated
-- command can ask for any more: answers are kept for 48 hours.
SELECT journal_partitions(now(), interval '48 hours');
