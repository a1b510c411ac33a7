"""What one image, one archive and the process that reads them may cost. Who is refused is told which limit it was."""

MIB = 1024 * 1024

MOST_PIXELS = 200_000_000
"""Of an image; 65,535 × 65,535 would be 4.3 billion, in a file of some bytes."""
MOST_DECODED_BYTES = 96 * MIB
"""Of a cover, once it is decoded (4 bytes a pixel, or an eighth of the edges for a JPEG)."""
LARGEST_FILE_BYTES = 512 * MIB
"""Of an image that is read at all."""
LARGEST_MEMBER_BYTES = 64 * MIB
"""Of an image in an archive that is held in memory, because its header alone does not do."""
MOST_RATIO = 200
"""Uncompressed to compressed, of an entry larger than `RATIO_FROM_BYTES`: deflate makes 1,000 of nothing but zeros."""
RATIO_FROM_BYTES = 10 * MIB
MOST_ENTRIES = 100_000
"""Of an archive; each costs half a kilobyte while it is open."""

IMAGE_CPU_S = 15
"""Processor seconds for one image: a disk that is slow is not its fault."""
PRIVATE_BYTES = 192 * MIB
"""What the reading process may allocate (RLIMIT_DATA): with its libraries it stays below 256 MB."""
ADDRESS_BYTES = 640 * MIB
"""And what it may map, libraries included (RLIMIT_AS)."""
SILENT_S = 120.0
"""Wall time without an answer after which the process is ended: the disk hangs, perhaps."""
NICE = 10
