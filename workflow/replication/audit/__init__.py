"""The audit: every link from data to report checked, and every table, figure and page made again and compared.

It reads, and repairs nothing. It needs neither PyTorch nor Snakemake.
"""
