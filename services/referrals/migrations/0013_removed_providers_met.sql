-- R14: whoever tells the other side of a referral must know that the provider there was removed, so that nothing more is told.
CREATE POLICY met_by_counterparts ON removed_providers FOR SELECT USING (in_network());
