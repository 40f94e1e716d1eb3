// SPDX-License-Identifier: GPL-2.0
// in: drivers/dma-buf/heaps/system_heap.c
// if: cc_shared
// lines: 6
@@
iterator name for_each_sgtable_sg;
identifier ret, pages;
expression table, sg, i;
statement S;
@@
 system_heap_allocate(...)
 {
 	<+...
(
 	struct list_head pages;
+	int nr_shared = 0;
|
 	for_each_sgtable_sg(table, sg, i) {
 		ret = system_heap_set_page_decrypted(...);
 		if (ret) S
+		nr_shared++;
 	}
)
 	...+>
 }

@@
expression buffer, p;
@@
 system_heap_allocate(...)
 {
 	<+...
-	if (cc_shared_buffer(buffer) &&
-	    system_heap_set_page_encrypted(p))
-		continue;
+	if (i < nr_shared && system_heap_set_page_encrypted(p))
+		continue;
+	/* This one was refused: nobody knows what it is. */
+	if (i == nr_shared && cc_shared_buffer(buffer))
+		continue;
	...+>
 }
