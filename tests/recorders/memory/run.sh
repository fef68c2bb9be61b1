#!/bin/sh
# run.sh JARS TARGET: compiles the recorders with the Scala compiler among Spark's own jars and records into TARGET.
set -eu
here=$(dirname "$0")
jars=$1
target=$2
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
java -cp "$jars/*" scala.tools.nsc.Main -usejavacp -d "$out" "$here"/*.scala
for recorder in storage.UnifiedMemoryRecorder memory.TaskMemoryRecorder; do
  name=$(echo "${recorder#*.}" | sed 's/Recorder//; s/\(.\)\([A-Z]\)/\1-\2/g' | tr '[:upper:]' '[:lower:]')
  java --add-opens java.base/sun.nio.ch=ALL-UNNAMED --add-opens java.base/java.nio=ALL-UNNAMED -cp "$out:$jars/*" "org.apache.spark.$recorder" > "$target/$name.txt"
done
