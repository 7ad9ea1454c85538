import { ApiProblems } from '@cairn/http';
import { Customer } from '@cairn/auth';
import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  Post,
  Put,
  Query,
  Res,
} from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { OrderDetailsService } from './order-details.service.ts';
import { OrderError } from './order.ts';
import * as schemas from './orders.schemas.ts';
import type { ConfirmBody, DraftBody, OrderQuery, PageQuery } from './orders.schemas.ts';
import { OrdersService } from './orders.service.ts';

@ApiTags('drafts')
@ApiBearerAuth()
@Controller('api/v1/drafts')
export class DraftsController {
  constructor(private readonly orders: OrdersService) {}

  @Put(':id')
  @ApiOperation({ summary: 'Save a draft; its time to live starts anew' })
  @ApiResponse({ status: 200, standardSchema: schemas.draftView })
  @ApiProblems({ invalid: 'the draft does not fit', conflict: 'the draft is confirmed already' })
  saveDraft(
    @Customer() customer: string,
    @Param('id', { schema: schemas.idParameter }) id: string,
    @Body({ schema: schemas.draftBody }) body: DraftBody,
  ) {
    return this.orders.saveDraft(customer, id, body);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a draft' })
  @ApiResponse({ status: 200, standardSchema: schemas.draftView })
  @ApiProblems({ not_found: 'no such draft of this customer' })
  getDraft(@Customer() customer: string, @Param('id', { schema: schemas.idParameter }) id: string) {
    return this.orders.getDraft(customer, id);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Throw a draft away' })
  @ApiProblems({ not_found: 'no such draft of this customer' })
  deleteDraft(@Customer() customer: string, @Param('id', { schema: schemas.idParameter }) id: string) {
    return this.orders.deleteDraft(customer, id);
  }
}

@ApiTags('orders')
@ApiBearerAuth()
@Controller('api/v1/orders')
export class OrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly details: OrderDetailsService,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Confirm a draft: it becomes an order that waits for its payment' })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: true,
    description: 'one per intended order; a retry sends it again',
  })
  @ApiResponse({ status: 201, standardSchema: schemas.orderView })
  @ApiProblems({
    invalid: 'the request does not fit, or the Idempotency-Key is missing',
    not_found: 'no such draft of this customer',
    conflict: 'the draft was confirmed under another key, or the key is in flight: see Retry-After',
    unprocessable: 'the key was used for another request',
  })
  async confirmOrder(
    @Customer() customer: string,
    @Headers('idempotency-key') key: string | undefined,
    @Body({ schema: schemas.confirmBody }) body: ConfirmBody,
    @Res() reply: FastifyReply,
  ) {
    const result = await this.orders.confirm(customer, requireKey(key), body);
    if (result.replayed) reply.header('Idempotency-Replayed', 'true');
    return reply.status(201).type('application/json').send(result.body);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read an order; with expand=payment its payment too, as far as payments can say' })
  @ApiResponse({ status: 200, standardSchema: schemas.expandedOrderView })
  @ApiProblems({ invalid: 'expand names something else', not_found: 'no such order of this customer' })
  getOrder(
    @Customer() customer: string,
    @Param('id', { schema: schemas.idParameter }) id: string,
    @Query({ schema: schemas.orderQuery }) { expand }: OrderQuery,
    @Headers('authorization') authorization: string | undefined,
  ) {
    return this.details.get(customer, id, { expand, authorization });
  }

  @Get()
  @ApiOperation({ summary: "List the customer's orders, newest first" })
  @ApiResponse({ status: 200, standardSchema: schemas.orderPage })
  @ApiProblems({ invalid: 'limit or after does not fit' })
  listOrders(@Customer() customer: string, @Query({ schema: schemas.pageQuery }) query: PageQuery) {
    return this.orders.list(customer, query);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({ summary: 'Cancel an order; what was paid is refunded' })
  @ApiResponse({ status: 200, standardSchema: schemas.orderView })
  @ApiProblems({ not_found: 'no such order of this customer', conflict: 'its state allows no cancel' })
  cancelOrder(@Customer() customer: string, @Param('id', { schema: schemas.idParameter }) id: string) {
    return this.orders.cancel(customer, id);
  }
}

function requireKey(key: string | undefined): string {
  const parsed = schemas.idempotencyKey.safeParse(key);
  if (parsed.success) return parsed.data;
  const message = 'Send an Idempotency-Key header of 8 to 128 visible ASCII characters, a UUID for instance.';
  throw new OrderError('idempotency_key_missing', message);
}
