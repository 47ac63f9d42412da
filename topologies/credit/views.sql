-- Views on the libraries, made by the sink `legal` whenever it opens the database.

-- What may be shown to everybody: what is repaired, withdrawn, slight, or of a natural person is not in it, nor is what
-- ended before today (in China).
DROP VIEW IF EXISTS published;
CREATE VIEW published AS
SELECT kind, subject_key, subject, subject_type, uscc, document_no, category, certificate, licence_no, content, decided_on,
       valid_from, valid_to, authority, authority_code, status, offence, facts, basis, fine, confiscated, suspended, level,
       year, removed_on, publication_class, publication_shortest, published_until, publish, objection, information_class
FROM (SELECT * FROM legal_person UNION ALL SELECT * FROM household)
WHERE publish = '是' AND (published_until IS NULL OR published_until >= date('now', '+8 hours'));

-- What leaves publication by itself at the end of today: the daily list.
DROP VIEW IF EXISTS ending_today;
CREATE VIEW ending_today AS SELECT * FROM published WHERE published_until = date('now', '+8 hours');

-- The figures of every morning, over decisions and not over versions, by authority, kind and day of the decision:
-- reported = in the libraries or refused and not sent again mended; compliant = in the libraries; timely = of these, reported
-- within seven working days.
DROP VIEW IF EXISTS figures;
CREATE VIEW figures AS
WITH refused AS (
  SELECT authority_code, kind, decided_on, count(*) AS rows FROM problems p
  WHERE authority_code IS NOT NULL AND kind IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM legal_person l WHERE l.kind = p.kind AND l.authority_code = p.authority_code
                    AND l.document_no = p.document_no)
    AND NOT EXISTS (SELECT 1 FROM household l WHERE l.kind = p.kind AND l.authority_code = p.authority_code
                    AND l.document_no = p.document_no)
    AND NOT EXISTS (SELECT 1 FROM natural_person l WHERE l.kind = p.kind AND l.authority_code = p.authority_code
                    AND l.document_no = p.document_no)
  GROUP BY 1, 2, 3),
days AS (SELECT authority_code, kind, decided_on FROM statistics UNION SELECT authority_code, kind, decided_on FROM refused)
SELECT d.authority_code, d.kind, d.decided_on,
       coalesce(s.count, 0) + coalesce(r.rows, 0) AS reported,
       coalesce(s.count, 0) AS compliant,
       coalesce(s.timely, 0) AS timely,
       coalesce(r.rows, 0) AS refused
FROM days d
LEFT JOIN statistics s ON s.authority_code = d.authority_code AND s.kind = d.kind AND s.decided_on IS d.decided_on
LEFT JOIN refused r ON r.authority_code = d.authority_code AND r.kind = d.kind AND r.decided_on IS d.decided_on;
