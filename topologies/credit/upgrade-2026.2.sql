-- Once, on the database of a topology of version 2026.1, before 2026.2 starts from its snapshot (`huiliu run --from`).
-- Withdrawn decisions stood in the libraries with their status; they have left them now, and stay in `history`.
DELETE FROM legal_person WHERE outcome = 'WITHDRAWN';
DELETE FROM natural_person WHERE outcome = 'WITHDRAWN';
DELETE FROM household WHERE outcome = 'WITHDRAWN';
-- What was counted were versions. Decisions are counted as they come again, or as the files of before are delivered again.
DELETE FROM statistics;
