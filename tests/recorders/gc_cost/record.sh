#!/bin/sh
# Records gc_cost.csv: `sh record.sh > gc_cost.csv`, a quarter of an hour on an idle machine. Needs a JDK 17.
set -eu
cd "$(dirname "$0")"
classes=$(mktemp -d)
javac -d "$classes" GcCost.java
echo collector,heap_mib,live_share,churn,allocated_mib,gc_cpu_s,other_cpu_s,collections,end
for heap in 512 1024; do
    for collector in G1 Serial; do
        for churn in 0 0.05 0.3; do
            for live in 0.1 0.3 0.5 0.6 0.7 0.8 0.85 0.9 0.93 0.95; do
                line=$(timeout 120 java -XX:+Use${collector}GC -Xms${heap}m -Xmx${heap}m -cp "$classes" GcCost $live $churn 6) || line="$heap,$live,$churn,,,,,timeout"
                echo "$collector,$line"
            done
        done
    done
done
