#!/usr/bin/env bash
# Fetches Apache Kafka's command-line tools and what they need, as jars, with Maven. Usage: kafka-tools.sh FOLDER
set -euo pipefail
folder=$1
version=4.3.1
mkdir -p "$(dirname "$folder")"
exec 9> "$folder.lock"
flock 9  # tests run side by side
[ -f "$folder/.kafka-$version" ] && exit 0
command -v mvn >/dev/null || { echo "there is no mvn to fetch them with" >&2; exit 1; }
rm -rf "$folder"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)  # Maven takes relative paths from its pom
cat > "$folder/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>cohort</groupId>
  <artifactId>kafka-tools</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$version</version></dependency>
    <!-- kafka-configs is still part of the server. -->
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
    <!-- No logging: what a tool prints is what is looked at. -->
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
XML
mvn --quiet --batch-mode --file "$folder/pom.xml" dependency:copy-dependencies -DoutputDirectory="$folder" >&2
touch "$folder/.kafka-$version"
