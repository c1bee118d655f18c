"""A page for people who never heard of sparsity: one HTML file that shows what a task has.

`facts` is what the page says, `words` how it says it, `page` the file.
"""
