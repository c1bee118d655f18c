"""Archives of models, good and hostile."""

import gzip
import io
import tarfile


def member(name, content=b"", **facts):
    """A member of an archive, and its content."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in facts.items():
        setattr(info, key, value)
    return info, content


def tar(members, *, fmt=tarfile.GNU_FORMAT):
    """A tar of members."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=fmt) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def packed(*members, **files):
    """A `.tar.gz` of members."""
    return gzip.compress(tar(members), mtime=0)


def archive(files):
    """A `.tar.gz` of files."""
    return packed(*(member(name, content) for name, content in files.items()))
