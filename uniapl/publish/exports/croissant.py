"""Croissant 1.0: croissant.json, by which a set is found and cited as a data set. It belongs beside a copy of the set.

Every file of the set is a FileObject with its SHA-256; every table with a header (analyses, tables, overview) is a
RecordSet with a field per column. A field has the type that pandas takes its column for: mlcroissant reads by pandas
first, whatever type is declared (findings/croissant_text.sh), so another type would not be the one that is read.
"""

import json
import mimetypes
import re
from pathlib import Path

import pandas as pd

from uniapl.publish.exports.numbers import Set

CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "samplingRate": "cr:samplingRate",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
TYPES = {"b": "sc:Boolean", "i": "sc:Integer", "f": "sc:Float"}  # of a NumPy kind; all else is text
FORMATS = {".parquet": "application/vnd.apache.parquet", ".jsonl": "application/jsonlines", ".tex": "text/x-tex"}
FORMATS |= {".md": "text/markdown"}
URL, LICENSE = "https://arxiv.org/abs/2509.25148", "https://spdx.org/licenses/Apache-2.0.html"


def file_object(name: str, set_: Set) -> dict:
    """One file of the set, at its place below croissant.json."""
    path = Path(name)
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{(set_.folder / name).stat().st_size} B",
        "encodingFormat": FORMATS.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream",
        "sha256": set_.manifest["sha256"][name],
    }


def record_set(name: str, set_: Set) -> dict:
    """The rows of a CSV file."""
    frame, id_ = pd.read_csv(set_.folder / name), re.sub(r"[^A-Za-z0-9_-]+", "-", name.removesuffix(".csv"))
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"{id_}/{column}",
            "name": column,
            "dataType": TYPES.get(frame[column].dtype.kind, "sc:Text"),
            "source": {"fileObject": {"@id": name}, "extract": {"column": column}},
        }
        for column in map(str, frame)
    ]
    return {"@type": "cr:RecordSet", "@id": id_, "name": id_, "field": fields}


def metadata(set_: Set, published: str) -> dict:
    """The whole description. `published`: a date, YYYY-MM-DD."""
    manifest = set_.manifest
    files = sorted(manifest["sha256"])
    tables = [name for name in files if name.endswith(".csv")]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": manifest["id"],
        "description": f"UniAPL-repro, scale {manifest['scale']}: scores of every response, analyses and tables of "
        f"{len(manifest['experiments'])} experiments, at commit {manifest['commit']}.",
        "citeAs": f"UniAPL-repro, set {manifest['id']}",
        "creator": {"@type": "sc:Organization", "name": "The UniAPL-repro authors"},
        "datePublished": published,
        "license": LICENSE,
        "url": URL,
        "version": "1.0.0",
        "distribution": [file_object(name, set_) for name in files],
        "recordSet": [record_set(name, set_) for name in tables],
    }


def write(set_: Set, out: Path, published: str) -> list[Path]:
    """croissant.json, for the folder that holds the set's files."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "croissant.json"
    path.write_text(json.dumps(metadata(set_, published), indent=2) + "\n", encoding="utf-8")
    return [path]
