"""What tests share: independent references, closed forms, programs to run. No test is in here."""
