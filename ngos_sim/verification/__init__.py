"""The theorems as studies, and what each must show."""
