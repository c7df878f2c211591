"""What boosters, nets and meta-estimators have in common: reading X and y, classes, scores, held-out rows."""
