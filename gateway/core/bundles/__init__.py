"""Content and events as files: read, checked whole before anything is saved, and written."""

from gateway.core.bundles.checks import check_bundle
from gateway.core.bundles.documents import KINDS, Bundle, Document, Existing, Kind, merge_bundles
from gateway.core.bundles.files import format_of, read_bundle, write_bundle
from gateway.core.bundles.shadows import bundle_warnings
from gateway.core.bundles.stale_patches import stale_patches

__all__ = [
    "KINDS",
    "Bundle",
    "Document",
    "Existing",
    "Kind",
    "bundle_warnings",
    "check_bundle",
    "format_of",
    "merge_bundles",
    "read_bundle",
    "stale_patches",
    "write_bundle",
]
