package org.apache.spark.util;

/**
 * Spark 2.4's closure cleaner reads class files and knows none newer than Java 10's, so on Java 17 it fails. Before Spark's own on the class
 * path, this one leaves closures as they are: they are serialised whole. It changes nothing of what Spark logs.
 */
public final class ClosureCleaner$ {
    public static final ClosureCleaner$ MODULE$ = new ClosureCleaner$();

    public void clean(Object closure, boolean checkSerializable, boolean cleanTransitively) {
    }

    public boolean clean$default$2() {
        return true;
    }

    public boolean clean$default$3() {
        return true;
    }
}
